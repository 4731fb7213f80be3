"""Settings: each is declared once here, and given by flags, the environment, or a file, in this order of precedence."""
