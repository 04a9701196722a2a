//! A film to its record, the one that `medclip score --format json` prints. Research use only, not for diagnosis.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let film = std::env::args().nth(1).ok_or("name a film")?;
    let scorer = medclip::Scorer::open("models/medclip-edge")?;
    println!("{}", scorer.score_file(film)?.to_json()?);
    Ok(())
}
