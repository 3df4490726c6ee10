-- How far a device's clock is ahead of ours, as its quickest message of a day tells; overwritten.
CREATE TABLE device_clock (
    device_id integer PRIMARY KEY REFERENCES device,
    day       date NOT NULL,
    ahead_s   double precision NOT NULL,
    before_s  double precision             -- the same for the day before this one with messages
);
