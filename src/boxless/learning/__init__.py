"""Learning from one's own pictures: a head for a frozen backbone, or a whole network."""
