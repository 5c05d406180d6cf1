"""Study of contrastive normalizing flows of normally distributed events and of handwritten digits."""
