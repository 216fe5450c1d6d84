//! The demonstration `resume` on a flash whose power goes again and again.

use lgl2o::Memory;
use lgl2o_device::resume::{self, Event};
use lgl2o_device::spirals::{self, RunMemory, Small};
use lgl2o_tests::cases;
use lgl2o_tests::flash::{Flash, Tear};
use proptest::prelude::*;

type Chip = Flash<1, 4, 1024>;

proptest! {
    #![proptest_config(cases!(16, "checkpoint/device"))]

    /// However often the power goes, the rounds that count in the end, and the final parameters, are those of a run that
    /// was never interrupted; and no checkpoint that was reported as saved is lost.
    #[test]
    fn the_demonstration_ends_as_if_nothing_had_happened(
        cuts in prop::collection::vec((0usize..40_000, any::<u64>()), 1..12),
    ) {
        let mut expected = Vec::new();
        let outcome = spirals::run::<Small>(&mut RunMemory::<Small>::new(), |_| {}, |round| expected.push(*round)).unwrap();
        let (mut flash, mut rounds, mut saved) = (Chip::new(8), Vec::new(), 0);
        let mut last = None;
        for cut in cuts.into_iter().map(Some).chain([None]) {
            let mut chip = match cut {
                Some((at, seed)) => flash.clone().cut_after(at, Tear::Noise(seed)),
                None => flash.clone(),
            };
            let mut memory: Box<RunMemory<Small>> = Box::new(Memory::new());
            let mut done = 0;
            let result = resume::run::<Small>(&mut memory, &mut chip, 0..8 * 1024, |_| {}, |event| match event {
                Event::Begun(_, begun) => {
                    assert!(begun >= saved, "{begun} rounds after {saved} were saved");
                    rounds.truncate(begun as usize);
                    done = begun;
                }
                Event::Round(round) => {
                    rounds.push(round);
                    done = round.round;
                }
                Event::Saving => {}
                Event::Saved(_) => saved = done,
            });
            flash = chip.restarted();
            last = result.ok();
            if last.is_some() {
                break;
            }
        }
        prop_assert_eq!(last, Some(outcome));
        prop_assert_eq!(rounds, expected);
    }
}
