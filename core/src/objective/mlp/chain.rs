//! The macro that names a network: [`chain!`](crate::chain).

/// The type of a chain of layers, by their types or by their names.
///
/// By types, `chain![A, B, C]` is `(A, (B, C))`. By names, the inputs come first, as times x channels or rows x columns x channels, and the macro counts what
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
/// | `gru(units)` | [`Gru`](crate::objective::mlp::Gru) |
/// | `conv2d(channels, kernel, stride, padding)` | [`Conv2d`](crate::objective::mlp::Conv2d) |
/// | `depthwise2d(kernel, stride, padding)` | [`Depthwise2d`](crate::objective::mlp::Depthwise2d) |
/// | `max_pool2d(side)` | [`MaxPool2d`](crate::objective::mlp::MaxPool2d) |
/// | `average_pool2d(side)` | [`AveragePool2d`](crate::objective::mlp::AveragePool2d) |
/// | `frozen(any of these, weights)` | [`Frozen`](crate::objective::mlp::Frozen) |
///
/// Inputs of rows x columns x channels are images. Kernel, stride, padding and side are one number, or two, `[rows, columns]`:
///
/// ```
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{Conv2d, Dense, Filter, Fixed, Image, Loss, MaxPool2d, Mlp, Relu};
///
/// // Spectrograms of 40 times and 10 bands.
/// type Layers = chain![40 x 10 x 1 => conv2d(8, [10, 4], 2, [4, 1], Relu), max_pool2d([2, 1]), dense(4)];
/// // The same by types.
/// type Same = chain![
///     Conv2d<Image<40, 10, 1>, Image<20, 5, 8>, Filter<10, 4, 2, 2, 4, 1>, Relu>,
///     MaxPool2d<Image<20, 5, 8>, Image<10, 5, 8>, 2, 1>,
///     Dense<400, 4>,
/// ];
/// let net = Mlp::new(Fixed::<Layers, 16>::new(), Loss::CrossEntropy);
/// let same = Mlp::new(Fixed::<Same, 16>::new(), Loss::CrossEntropy);
/// assert_eq!([net.parameters(), same.parameters()], [10 * 4 * 8 + 8 + 400 * 4 + 4; 2]);
/// ```
#[macro_export]
macro_rules! chain {
    ($rows:tt x $columns:tt x $channels:tt => $($layers:tt)+) => { $crate::__named!([$rows, $columns] [$channels] $($layers)+) };
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
    ([$h:expr, $w:expr] [$c:expr] dense($o:expr $(, $act:ty)?)) => {
        $crate::objective::mlp::Dense<{ $h * $w * $c }, { $o } $(, $act)?>
    };
    ([$h:expr, $w:expr] [$c:expr] conv2d($o:expr, $k:tt, $s:tt, $p:tt $(, $act:ty)?)) => {
        $crate::objective::mlp::Conv2d<
            $crate::objective::mlp::Image<{ $h }, { $w }, { $c }>,
            $crate::objective::mlp::Image<{ $crate::__times!(rows $h, $k, $s, $p) }, { $crate::__times!(columns $w, $k, $s, $p) }, { $o }>,
            $crate::__filter!($k, $s, $p) $(, $act)?
        >
    };
    ([$h:expr, $w:expr] [$c:expr] depthwise2d($k:tt, $s:tt, $p:tt $(, $act:ty)?)) => {
        $crate::objective::mlp::Depthwise2d<
            $crate::objective::mlp::Image<{ $h }, { $w }, { $c }>,
            $crate::objective::mlp::Image<{ $crate::__times!(rows $h, $k, $s, $p) }, { $crate::__times!(columns $w, $k, $s, $p) }, { $c }>,
            $crate::__filter!($k, $s, $p) $(, $act)?
        >
    };
    ([$h:expr, $w:expr] [$c:expr] max_pool2d($k:tt)) => {
        $crate::objective::mlp::MaxPool2d<
            $crate::objective::mlp::Image<{ $h }, { $w }, { $c }>,
            $crate::objective::mlp::Image<{ $h / $crate::__side!(rows $k) }, { $w / $crate::__side!(columns $k) }, { $c }>,
            { $crate::__side!(rows $k) }, { $crate::__side!(columns $k) }
        >
    };
    ([$h:expr, $w:expr] [$c:expr] average_pool2d($k:tt)) => {
        $crate::objective::mlp::AveragePool2d<
            $crate::objective::mlp::Image<{ $h }, { $w }, { $c }>,
            $crate::objective::mlp::Image<{ $h / $crate::__side!(rows $k) }, { $w / $crate::__side!(columns $k) }, { $c }>,
            { $crate::__side!(rows $k) }, { $crate::__side!(columns $k) }
        >
    };
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
    ([$t:expr] [$c:expr] gru($h:expr)) => { $crate::objective::mlp::Gru<{ $t }, { $c }, { $h }> };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty)) => {
        $crate::objective::mlp::Frozen<$crate::__layer!($t $c $name($($of)*)), $weights>
    };
}

/// One of two numbers, `[rows, columns]`, or the one that stands for both.
#[doc(hidden)]
#[macro_export]
macro_rules! __side {
    (rows [$rows:expr, $columns:expr]) => {
        $rows
    };
    (columns [$rows:expr, $columns:expr]) => {
        $columns
    };
    ($side:ident $both:expr) => {
        $both
    };
}

/// The rows, or the columns, that a filter leaves of some.
#[doc(hidden)]
#[macro_export]
macro_rules! __times {
    ($side:ident $n:expr, $k:tt, $s:tt, $p:tt) => {
        $crate::objective::mlp::windows::times($n, $crate::__side!($side $k), $crate::__side!($side $s), $crate::__side!($side $p))
    };
}

/// The type of a filter.
#[doc(hidden)]
#[macro_export]
macro_rules! __filter {
    ($k:tt, $s:tt, $p:tt) => {
        $crate::objective::mlp::Filter<
            { $crate::__side!(rows $k) }, { $crate::__side!(columns $k) },
            { $crate::__side!(rows $s) }, { $crate::__side!(columns $s) },
            { $crate::__side!(rows $p) }, { $crate::__side!(columns $p) }
        >
    };
}

/// The named layers behind one, with the shape that it leaves.
#[doc(hidden)]
#[macro_export]
macro_rules! __rest {
    ($t:tt $c:tt dense($o:expr $(, $act:ty)?) $($rest:tt)+) => { $crate::__named!([1] [$o] $($rest)+) };
    ([$h:expr, $w:expr] [$c:expr] conv2d($o:expr, $k:tt, $s:tt, $p:tt $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::__times!(rows $h, $k, $s, $p), $crate::__times!(columns $w, $k, $s, $p)] [$o] $($rest)+)
    };
    ([$h:expr, $w:expr] [$c:expr] depthwise2d($k:tt, $s:tt, $p:tt $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::__times!(rows $h, $k, $s, $p), $crate::__times!(columns $w, $k, $s, $p)] [$c] $($rest)+)
    };
    ([$h:expr, $w:expr] [$c:expr] max_pool2d($k:tt) $($rest:tt)+) => {
        $crate::__named!([$h / $crate::__side!(rows $k), $w / $crate::__side!(columns $k)] [$c] $($rest)+)
    };
    ([$h:expr, $w:expr] [$c:expr] average_pool2d($k:tt) $($rest:tt)+) => {
        $crate::__named!([$h / $crate::__side!(rows $k), $w / $crate::__side!(columns $k)] [$c] $($rest)+)
    };
    ([$t:expr] [$c:expr] conv1d($o:expr, $k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$o] $($rest)+)
    };
    ([$t:expr] [$c:expr] depthwise($k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$c] $($rest)+)
    };
    ([$t:expr] [$c:expr] max_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ([$t:expr] [$c:expr] average_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ([$t:expr] [$c:expr] gru($h:expr) $($rest:tt)+) => { $crate::__named!([1] [$h] $($rest)+) };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty) $($rest:tt)+) => {
        $crate::__rest!($t $c $name($($of)*) $($rest)+)
    };
}
