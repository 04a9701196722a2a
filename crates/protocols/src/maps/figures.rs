//! Figures of maps for one finding.

use medclip_core::{ClassMap, Finding};
use medclip_stats::pointing::hits;
use medclip_stats::{Grid, Interval, Region, bootstrap_ci, fixed_points};
use serde::Serialize;

use super::film::{MappedFilm, MarkedMap};
use crate::embed::distinct_patients;
use crate::error::EvaluationError;
use crate::ranking::mean;
use crate::resampling::{LEVEL, Resampling};

/// How maps of one finding fit the boxes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingMaps {
    /// The finding.
    pub name: &'static str,
    /// Films with boxes of it.
    pub films: usize,
    /// Patients they are of.
    pub patients: usize,
    /// The class-activation map.
    pub map: Pointing,
    /// The map by occlusion, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occlusion: Option<Pointing>,
    /// Films on which the best fixed point lies in a box. Each patient's point is learned on the others, and no image is seen.
    pub floor_hits: usize,
    /// Share of films on which it does; `None` where all films are of one patient.
    pub floor: Option<Interval>,
    /// Share of films with a box that a map of this grid can hit at all: the center of some cell lies in it.
    pub ceiling: f64,
    /// Mean share of the square that the boxes cover: the energy inside of a map that says nothing.
    pub area: f64,
}

/// One kind of map in the pointing game.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pointing {
    /// Films on which the highest place lies in a box.
    pub hits: usize,
    /// Share of films on which it does.
    pub rate: Interval,
    /// That share minus the fixed point's, paired by patient; `None` where there is no fixed point.
    pub over_floor: Option<Interval>,
    /// Mean share of the map's positive part that lies inside the boxes; `None` where no map has a positive part.
    pub energy: Option<f64>,
}

impl FindingMaps {
    /// The figures of `finding`; `None` where no film has boxes of it.
    pub(super) fn of(
        finding: Finding,
        films: &[MappedFilm<'_>],
        resampling: Resampling,
    ) -> Result<Option<Self>, EvaluationError> {
        let of_film = |film: &'_ MappedFilm<'_>| film.maps.iter().position(|each| each.finding == finding);
        let marked: Vec<(&MappedFilm<'_>, &MarkedMap)> =
            films.iter().filter_map(|film| Some((film, &film.maps[of_film(film)?]))).collect();
        if marked.is_empty() {
            return Ok(None);
        }
        let patients: Vec<&str> = marked.iter().map(|(film, _)| film.record.patient_group.as_str()).collect();
        let regions: Vec<(&str, &[Region])> = patients
            .iter()
            .zip(&marked)
            .map(|(patient, (_, each))| (*patient, each.regions.as_slice()))
            .collect();
        let fixed: Option<Vec<bool>> = fixed_points(&regions)
            .into_iter()
            .zip(&regions)
            .map(|(point, (_, regions))| Some(hits(regions, point?)))
            .collect();
        let rate = |won: &[bool]| share(&patients, won, resampling);
        let pointing =
            |map: &dyn Fn(&MarkedMap) -> Option<&ClassMap>| -> Result<Option<Pointing>, EvaluationError> {
                let maps: Option<Vec<(Grid<'_>, &[Region])>> = marked
                    .iter()
                    .map(|(_, each)| Some((grid(map(each)?), each.regions.as_slice())))
                    .collect();
                let Some(maps) = maps else { return Ok(None) };
                let is_hit = |(grid, regions): &(Grid<'_>, &[Region])| {
                    grid.peak().is_some_and(|peak| hits(regions, peak))
                };
                let won: Vec<bool> = maps.iter().map(is_hit).collect();
                let over = |fixed: &Vec<bool>| difference(&patients, &won, fixed, resampling);
                Ok(Some(Pointing {
                    hits: won.iter().filter(|won| **won).count(),
                    rate: rate(&won)?,
                    over_floor: fixed.as_ref().map(over).transpose()?,
                    energy: mean(maps.iter().filter_map(|(grid, regions)| grid.energy_inside(regions))),
                }))
            };
        let Some(map) = pointing(&|each| Some(&each.map))? else { return Ok(None) };
        let even =
            |each: &MarkedMap| Grid { values: &[1.0], rows: 1, columns: 1 }.energy_inside(&each.regions);
        let can_hit = marked.iter().filter(|(_, each)| grid(&each.map).can_hit(&each.regions)).count();
        Ok(Some(Self {
            name: finding.name(),
            films: marked.len(),
            patients: distinct_patients(marked.iter().map(|(film, _)| film.record)),
            map,
            occlusion: pointing(&|each| each.occlusion.as_ref())?,
            floor_hits: fixed.iter().flatten().filter(|hit| **hit).count(),
            floor: fixed.as_ref().map(|fixed| rate(fixed)).transpose()?,
            ceiling: can_hit as f64 / marked.len() as f64,
            area: mean(marked.iter().filter_map(|(_, each)| even(each))).unwrap_or_default(),
        }))
    }
}

fn grid(map: &ClassMap) -> Grid<'_> {
    Grid { values: &map.values, rows: map.rows, columns: map.columns }
}

/// Share of films won, with its interval by patient.
fn share(patients: &[&str], won: &[bool], resampling: Resampling) -> Result<Interval, EvaluationError> {
    let statistic = |rows: &[usize]| mean(rows.iter().map(|row| f64::from(u8::from(won[*row]))));
    Ok(bootstrap_ci(patients, statistic, resampling.resamples, LEVEL, resampling.seed)?)
}

/// The share that `left` wins minus the share that `right` wins, on the same films.
fn difference(
    patients: &[&str],
    left: &[bool],
    right: &[bool],
    resampling: Resampling,
) -> Result<Interval, EvaluationError> {
    let gain = |row: &usize| f64::from(u8::from(left[*row])) - f64::from(u8::from(right[*row]));
    let statistic = |rows: &[usize]| mean(rows.iter().map(gain));
    Ok(bootstrap_ci(patients, statistic, resampling.resamples, LEVEL, resampling.seed)?)
}
