//! Colours, for a light and a dark surrounding.

use crate::subject::{DISK, PROXY};

/// The style sheet of a picture.
pub(crate) const STYLE: &str = "
text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#444}
.title{font-size:15px;font-weight:600;text-anchor:middle;fill:#111}
.panel{font-size:13px;font-weight:600;text-anchor:middle;fill:#222}
.y{text-anchor:end}.x{text-anchor:middle}
.ground{fill:#fff}
.grid{stroke:#ddd;fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.broker{stroke:#0b62d6;stroke-width:3}.dot.broker{fill:#0b62d6}
.line.proxy{stroke:#555;stroke-dasharray:7 4}.dot.proxy{fill:#555}
.line.disk{stroke:#999;stroke-dasharray:2 4}.dot.disk{fill:#999}
.line.c0{stroke:#c43d2b}.dot.c0{fill:#c43d2b}
.line.c1{stroke:#1b8445}.dot.c1{fill:#1b8445}
.line.c2{stroke:#a66a00}.dot.c2{fill:#a66a00}
.line.c3{stroke:#8345b5}.dot.c3{fill:#8345b5}
@media (prefers-color-scheme:dark){
text{fill:#bbb}.title{fill:#eee}.panel{fill:#ddd}
.ground{fill:#16191d}.grid{stroke:#33383f}
.line.broker{stroke:#5aa5ff}.dot.broker{fill:#5aa5ff}
.line.proxy{stroke:#b5b5b5}.dot.proxy{fill:#b5b5b5}
.line.disk{stroke:#777}.dot.disk{fill:#777}
.line.c0{stroke:#ff8573}.dot.c0{fill:#ff8573}
.line.c1{stroke:#55cc82}.dot.c1{fill:#55cc82}
.line.c2{stroke:#eeb04c}.dot.c2{fill:#eeb04c}
.line.c3{stroke:#c996f2}.dot.c3{fill:#c996f2}
}
";

/// Returns the class of a subject: a name of its own, or a colour by its name.
pub(crate) fn class(subject: &str) -> &'static str {
    const OTHERS: [&str; 4] = ["c0", "c1", "c2", "c3"];
    match subject {
        PROXY => "proxy",
        DISK => "disk",
        "broker" => "broker",
        "Redis" => OTHERS[0],
        "NATS" => OTHERS[1],
        "Python" => OTHERS[2],
        _ => OTHERS[3],
    }
}
