"""Send messages through a line: once, under the right number, with an honest outcome."""
