"""The fleet as a whole: what servers carry, what should go, what is wrong. Decisions only."""
