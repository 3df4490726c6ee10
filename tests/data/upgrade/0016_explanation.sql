UPDATE basis SET explanation = '\x03' WHERE plan = 'p1';
