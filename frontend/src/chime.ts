/** Two short tones, made by the browser itself. */

const TONES_HZ = [660, 880];
const TONE_S = 0.14;
const LOUD = 0.12;

export class Chime {
  private context: AudioContext | null = null;

  /** Sound; silent where the browser wants a click on the page first, and there was none. */
  ring(): void {
    if (!("AudioContext" in window)) return;
    const context = (this.context ??= new AudioContext());
    void context.resume();
    TONES_HZ.forEach((hz, index) => tone(context, hz, context.currentTime + index * TONE_S));
  }
}

function tone(context: AudioContext, hz: number, at: number): void {
  const source = context.createOscillator();
  const volume = context.createGain();
  source.frequency.value = hz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUD, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_S);
  source.connect(volume).connect(context.destination);
  source.start(at);
  source.stop(at + TONE_S);
}
