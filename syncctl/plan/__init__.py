"""`syncctl plan`: what there is (facts), what is to run (jobs), whether it fits (fit), and when (schedule)."""
