"""Sound from a mel spectrogram without a trained vocoder: phases are guessed until they agree with the magnitudes.

Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984, with the momentum of Perraudin et al.,
"A fast Griffin-Lim algorithm", 2013. It needs no weights, and sounds hollow and metallic: it stands in for a vocoder where
there is none, and what is heard through it says little about how the voice sounds through a HiFi-GAN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "griffin-lim"
ITERATIONS = 32
MOMENTUM = 0.99


class GriffinLim:
    """A vocoder for the spectrograms of one `SpeechT5FeatureExtractor`: log10 of mel magnitudes."""

    def __init__(self, extractor: Any) -> None:
        import torch

        self.sample_rate = int(extractor.sampling_rate)
        self._hop, self._size = int(extractor.sample_stride), int(extractor.n_fft)
        self._window = torch.from_numpy(extractor.window).float()
        self._filters = torch.from_numpy(extractor.mel_filters).float()  # (frequencies, mel bins)
        self._inverse = torch.linalg.pinv(self._filters)

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """(samples,) within -1 and 1 of (frames, mel bins), log10. The same spectrogram gives the same samples."""
        import torch

        mel = torch.pow(10.0, spectrogram.detach().float().cpu().clamp(-10, 3))
        magnitude = self._spread(mel).T  # (frequencies, frames)
        generator = torch.Generator().manual_seed(0)
        angles = torch.polar(
            torch.ones_like(magnitude), 2 * torch.pi * torch.rand(magnitude.shape, generator=generator)
        )
        before = torch.zeros_like(angles)
        for _ in range(ITERATIONS):
            rebuilt = self._stft(self._istft(magnitude * angles))
            angles = rebuilt - before * (MOMENTUM / (1 + MOMENTUM))
            angles = angles / angles.abs().clamp_min(1e-16)
            before = rebuilt
        samples: torch.Tensor = self._istft(magnitude * angles).clamp(-1, 1)
        return samples

    def _spread(self, mel: torch.Tensor) -> torch.Tensor:
        """(frames, frequencies), none negative, whose mel magnitudes are nearly `mel`: the pseudo-inverse, then a few
        multiplicative steps (Lee and Seung, 2001), which keep it from going negative."""
        linear: torch.Tensor = (mel @ self._inverse).clamp_min(1e-8)
        for _ in range(8):
            linear = linear * (mel @ self._filters.T) / (linear @ self._filters @ self._filters.T).clamp_min(1e-10)
        return linear

    def _stft(self, samples: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.stft(samples, self._size, self._hop, window=self._window, return_complex=True)

    def _istft(self, spectrum: torch.Tensor) -> torch.Tensor:
        import torch

        samples: torch.Tensor = torch.istft(spectrum, self._size, self._hop, window=self._window)
        return samples
