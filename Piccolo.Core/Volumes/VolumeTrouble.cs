namespace Piccolo.Core.Volumes;

/// <summary>What went wrong with one volume, in words that begin in the middle of a sentence.</summary>
internal sealed record VolumeTrouble(VolumeFaultKind Kind, string Why);
