"""The subcommands of syncctl, one module each."""
