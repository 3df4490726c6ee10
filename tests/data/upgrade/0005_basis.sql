INSERT INTO basis VALUES ('p1', '\x01', '\x02');
