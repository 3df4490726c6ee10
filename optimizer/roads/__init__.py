"""Travel times and road geometry, all behind `optimizer.model.TravelTimes`."""
