//! Where anatomy lies in the image, and a layer to stroke lines on.

use crate::shape::{Point, segment_distance, smoothstep};

/// The map between pixels and anatomy coordinates: size, shift and a slight turn of the patient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) size: u32,
    pub(crate) scale: f32,
    pub(crate) shift: Point,
    pub(crate) tilt: f32,
}

impl Frame {
    /// Center of a pixel in image coordinates −1…1.
    pub(crate) fn image_point(&self, column: u32, row: u32) -> Point {
        let unit = 2.0 / self.size as f32;
        Point::new((column as f32 + 0.5) * unit - 1.0, (row as f32 + 0.5) * unit - 1.0)
    }

    /// Image coordinates to anatomy coordinates.
    pub(crate) fn anatomy_point(&self, p: Point) -> Point {
        let (x, y) = (p.x - self.shift.x, p.y - self.shift.y);
        Point::new((x + self.tilt * y) / self.scale, (y - self.tilt * x) / self.scale)
    }

    /// Side of a pixel in anatomy coordinates.
    pub(crate) fn pixel(&self) -> f32 {
        2.0 / (self.size as f32 * self.scale)
    }

    fn pixel_of(&self, p: Point) -> Point {
        let norm = self.scale / (1.0 + self.tilt * self.tilt);
        let x = (p.x - self.tilt * p.y) * norm + self.shift.x;
        let y = (p.y + self.tilt * p.x) * norm + self.shift.y;
        let half = 0.5 * self.size as f32;
        Point::new((x + 1.0) * half - 0.5, (y + 1.0) * half - 0.5)
    }
}

/// Values at every pixel of a frame, 0 where nothing was drawn.
pub(crate) struct Layer {
    frame: Frame,
    values: Vec<f32>,
}

impl Layer {
    pub(crate) fn new(frame: Frame) -> Self {
        Self { frame, values: vec![0.0; frame.size as usize * frame.size as usize] }
    }

    pub(crate) fn at(&self, column: u32, row: u32) -> f32 {
        self.values[row as usize * self.frame.size as usize + column as usize]
    }

    /// A line of the given half-width with soft edges; where lines cross, the strongest shows.
    ///
    /// Lines thinner than a pixel keep a pixel's width and lose strength instead.
    pub(crate) fn line(&mut self, from: Point, to: Point, half_width: f32, strength: f32) {
        let visible = half_width.max(0.6 * self.frame.pixel());
        let strength = strength * half_width / visible;
        let soft = (0.5 * visible).min(self.frame.pixel().max(0.008));
        let reach = visible + soft;
        let (a, b) = (self.frame.pixel_of(from), self.frame.pixel_of(to));
        let margin = reach / self.frame.pixel() + 1.0;
        let last = self.frame.size as f32 - 1.0;
        let span = |p: f32, q: f32| {
            ((p.min(q) - margin).clamp(0.0, last) as u32, (p.max(q) + margin).clamp(0.0, last) as u32)
        };
        let ((left, right), (top, bottom)) = (span(a.x, b.x), span(a.y, b.y));
        for row in top..=bottom {
            for column in left..=right {
                let p = self.frame.anatomy_point(self.frame.image_point(column, row));
                let cover = 1.0 - smoothstep(visible - soft, reach, segment_distance(p, from, to));
                let value = &mut self.values[row as usize * self.frame.size as usize + column as usize];
                *value = value.max(cover * strength);
            }
        }
    }

    /// Lines through all points in order.
    pub(crate) fn path(&mut self, points: &[Point], half_width: f32, strength: f32) {
        for pair in points.windows(2) {
            if let [from, to] = *pair {
                self.line(from, to, half_width, strength);
            }
        }
    }

    /// A smooth curve that starts at the first point, ends at the last and is drawn to those between.
    pub(crate) fn curve(&mut self, points: &[Point], half_width: f32, strength: f32) {
        let steps = 24;
        let smooth: Vec<Point> =
            (0..=steps).filter_map(|step| bezier(points, step as f32 / steps as f32)).collect();
        self.path(&smooth, half_width, strength);
    }
}

/// Point `t` of the Bézier curve with these control points (de Casteljau).
fn bezier(points: &[Point], t: f32) -> Option<Point> {
    let mut level = points.to_vec();
    while level.len() > 1 {
        level = level
            .windows(2)
            .filter_map(|pair| if let [a, b] = *pair { Some(a.toward(b, t)) } else { None })
            .collect();
    }
    level.first().copied()
}
