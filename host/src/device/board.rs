//! The boards: those that QEMU emulates, and one of metal.

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
    /// What runs its programs.
    pub runner: Runner,
    /// Whether its memory takes only the small networks.
    pub small: bool,
    /// RAM in one piece, in kB; 512 or more are 512 here.
    pub ram: u32,
}

/// What runs the programs of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// An emulator, with the arguments that say which machine.
    Qemu {
        /// The program.
        program: &'static str,
        /// Its arguments.
        machine: &'static [&'static str],
    },
    /// The board itself, into which `probe-rs` writes a program.
    Metal {
        /// What `probe-rs` calls its chip.
        chip: &'static str,
    },
}

impl Board {
    /// Whether QEMU has it.
    #[must_use]
    pub const fn is_emulated(&self) -> bool {
        matches!(self.runner, Runner::Qemu { .. })
    }
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
    Board { name, core, about, target, runner: Runner::Qemu { program: ARM, machine }, small: false, ram: 512 }
}

/// All boards.
pub const BOARDS: [Board; 10] = [
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
        name: "riscv-virt",
        core: "RV32IMAC",
        about: "QEMU's RISC-V machine",
        target: "riscv32imac-unknown-none-elf",
        runner: Runner::Qemu { program: "qemu-system-riscv32", machine: &["-M", "virt", "-bios", "none"] },
        small: false,
        ram: 512,
    },
    Board {
        name: "nrf52840-dk",
        core: "Cortex-M4F",
        about: "Nordic's nRF52840-DK: a board of metal, with --port",
        target: V7EM,
        runner: Runner::Metal { chip: "nRF52840_xxAA" },
        small: false,
        ram: 256,
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
