"""The page of `syncctl report`: plots and HTML, made of figures alone."""
