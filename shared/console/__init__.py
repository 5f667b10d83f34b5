"""The web page: its files, its policy, and what it has to know of the deployment."""
