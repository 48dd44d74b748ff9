"""One module a command of `frontdesk`."""
