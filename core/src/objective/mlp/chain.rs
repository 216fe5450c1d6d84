//! The macro that names a network: [`chain!`](crate::chain).

/// The type of a chain of layers, by their types or by their names.
///
/// By types, `chain![A, B, C]` is `(A, (B, C))`. By names, the inputs come first, as times x channels, and the macro counts what
/// each layer makes of them; an activation is the last argument, the identity where there is none:
///
/// ```
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{AveragePool1d, Conv1d, Dense, Depthwise, Fixed, Loss, Mlp, Relu, Tanh};
///
/// // Windows of 100 samples of an accelerometer and a gyroscope, 3 axes each; batches of 16.
/// type Layers = chain![100 x 6 => conv1d(8, 5, 2, 0, Relu), depthwise(3, 1, 1, Relu), average_pool(4), dense(10, Tanh), dense(4)];
/// // The same by types.
/// type Same = chain![
///     Conv1d<100, 6, 48, 8, 5, 2, 0, Relu>,
///     Depthwise<48, 8, 48, 3, 1, 1, Relu>,
///     AveragePool1d<48, 8, 12, 4>,
///     Dense<96, 10, Tanh>,
///     Dense<10, 4>,
/// ];
/// let net = Mlp::new(Fixed::<Layers, 16>::new(), Loss::CrossEntropy);
/// let same = Mlp::new(Fixed::<Same, 16>::new(), Loss::CrossEntropy);
/// assert_eq!([net.parameters(), same.parameters()], [8 * 5 * 6 + 8 + 3 * 8 + 8 + 96 * 10 + 10 + 10 * 4 + 4; 2]);
/// ```
///
/// | name | layer |
/// |---|---|
/// | `dense(outputs)` | [`Dense`](crate::objective::mlp::Dense) |
/// | `conv1d(channels, kernel, stride, padding)` | [`Conv1d`](crate::objective::mlp::Conv1d) |
/// | `depthwise(kernel, stride, padding)` | [`Depthwise`](crate::objective::mlp::Depthwise) |
/// | `max_pool(width)` | [`MaxPool1d`](crate::objective::mlp::MaxPool1d) |
/// | `average_pool(width)` | [`AveragePool1d`](crate::objective::mlp::AveragePool1d) |
/// | `frozen(any of these, weights)` | [`Frozen`](crate::objective::mlp::Frozen) |
#[macro_export]
macro_rules! chain {
    ($time:tt x $channels:tt => $($layers:tt)+) => { $crate::__named!([$time] [$channels] $($layers)+) };
    ($layer:ty $(,)?) => { $layer };
    ($layer:ty, $($rest:ty),+ $(,)?) => { ($layer, $crate::chain![$($rest),+]) };
}

/// A chain of named layers, whose inputs are so many times of so many channels.
#[doc(hidden)]
#[macro_export]
macro_rules! __named {
    ($t:tt $c:tt $name:ident($($of:tt)*) $(,)?) => { $crate::__layer!($t $c $name($($of)*)) };
    ($t:tt $c:tt $name:ident($($of:tt)*), $($rest:tt)+) => {
        ($crate::__layer!($t $c $name($($of)*)), $crate::__rest!($t $c $name($($of)*) $($rest)+))
    };
}

/// The type of a named layer.
#[doc(hidden)]
#[macro_export]
macro_rules! __layer {
    ([$t:expr] [$c:expr] dense($o:expr $(, $act:ty)?)) => { $crate::objective::mlp::Dense<{ $t * $c }, { $o } $(, $act)?> };
    ([$t:expr] [$c:expr] conv1d($o:expr, $k:expr, $s:expr, $p:expr $(, $act:ty)?)) => {
        $crate::objective::mlp::Conv1d<
            { $t }, { $c }, { $crate::objective::mlp::windows::times($t, $k, $s, $p) }, { $o }, { $k }, { $s }, { $p } $(, $act)?
        >
    };
    ([$t:expr] [$c:expr] depthwise($k:expr, $s:expr, $p:expr $(, $act:ty)?)) => {
        $crate::objective::mlp::Depthwise<
            { $t }, { $c }, { $crate::objective::mlp::windows::times($t, $k, $s, $p) }, { $k }, { $s }, { $p } $(, $act)?
        >
    };
    ([$t:expr] [$c:expr] max_pool($w:expr)) => { $crate::objective::mlp::MaxPool1d<{ $t }, { $c }, { $t / $w }, { $w }> };
    ([$t:expr] [$c:expr] average_pool($w:expr)) => { $crate::objective::mlp::AveragePool1d<{ $t }, { $c }, { $t / $w }, { $w }> };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty)) => {
        $crate::objective::mlp::Frozen<$crate::__layer!($t $c $name($($of)*)), $weights>
    };
}

/// The named layers behind one, with the shape that it leaves.
#[doc(hidden)]
#[macro_export]
macro_rules! __rest {
    ([$t:expr] [$c:expr] dense($o:expr $(, $act:ty)?) $($rest:tt)+) => { $crate::__named!([1] [$o] $($rest)+) };
    ([$t:expr] [$c:expr] conv1d($o:expr, $k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$o] $($rest)+)
    };
    ([$t:expr] [$c:expr] depthwise($k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$c] $($rest)+)
    };
    ([$t:expr] [$c:expr] max_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ([$t:expr] [$c:expr] average_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty) $($rest:tt)+) => {
        $crate::__rest!($t $c $name($($of)*) $($rest)+)
    };
}
