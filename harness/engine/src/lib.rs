//! Plans and executes: doctor, carriers, many instances at once. Emits traces, never prints, never judges
