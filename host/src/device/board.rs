//! The boards that QEMU emulates.

/// A board, or the machine of QEMU's that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// What `--board` and the firmware call it.
    pub name: &'static str,
    /// Its processor.
    pub core: &'static str,
    /// Where it is found.
    pub about: &'static str,
    /// Rust's name of the target.
    pub target: &'static str,
    /// The emulator, and its arguments that say which machine.
    pub emulator: &'static str,
    /// See [`emulator`](Self::emulator).
    pub machine: &'static [&'static str],
    /// Whether its memory takes only the small networks.
    pub small: bool,
    /// RAM in one piece, in kB; 512 or more are 512 here.
    pub ram: u32,
}

const ARM: &str = "qemu-system-arm";
const V6M: &str = "thumbv6m-none-eabi";
const V7M: &str = "thumbv7m-none-eabi";
const V7EM: &str = "thumbv7em-none-eabihf";
const V8M: &str = "thumbv8m.main-none-eabihf";

const fn arm(
    name: &'static str,
    core: &'static str,
    about: &'static str,
    target: &'static str,
    machine: &'static [&'static str],
) -> Board {
    Board { name, core, about, target, emulator: ARM, machine, small: false, ram: 512 }
}

/// All boards.
pub const BOARDS: [Board; 9] = [
    Board {
        small: true,
        ram: 16,
        ..arm("microbit", "Cortex-M0", "BBC micro:bit, nRF51822, 16 kB of RAM", V6M, &["-M", "microbit"])
    },
    Board {
        ram: 64,
        ..arm("lm3s6965evb", "Cortex-M3", "Stellaris LM3S6965, 64 kB of RAM", V7M, &["-M", "lm3s6965evb"])
    },
    arm("mps2-an385", "Cortex-M3", "Arm MPS2", V7M, &["-M", "mps2-an385"]),
    arm("mps2-an386", "Cortex-M4F", "Arm MPS2", V7EM, &["-M", "mps2-an386"]),
    Board {
        ram: 128,
        ..arm("netduinoplus2", "Cortex-M4F", "STM32F405, 128 kB of RAM", V7EM, &["-M", "netduinoplus2"])
    },
    arm("mps2-an500", "Cortex-M7", "Arm MPS2", V7EM, &["-M", "mps2-an500"]),
    arm("mps2-an505", "Cortex-M33", "Arm MPS2 with SSE-200", V8M, &["-M", "mps2-an505"]),
    arm("mps3-an547", "Cortex-M55", "Arm MPS3 with SSE-300", V8M, &["-M", "mps3-an547"]),
    Board {
        emulator: "qemu-system-riscv32",
        ..arm(
            "riscv-virt",
            "RV32IMAC",
            "QEMU's RISC-V machine",
            "riscv32imac-unknown-none-elf",
            &["-M", "virt", "-bios", "none"],
        )
    },
];

/// The names, for the command line.
pub const NAMES: [&str; BOARDS.len()] = {
    let (mut names, mut i) = ([""; BOARDS.len()], 0);
    while i < names.len() {
        names[i] = BOARDS[i].name;
        i += 1;
    }
    names
};

/// The board of a name.
#[must_use]
pub fn board(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}

/// The boards as lines of a help text.
#[must_use]
pub fn list() -> String {
    BOARDS.iter().map(|b| format!("  {:<14} {:<11} {}\n", b.name, b.core, b.about)).collect()
}
