"""How often who does not reason about causes names the root of a drawn incident, and what gives it away."""
