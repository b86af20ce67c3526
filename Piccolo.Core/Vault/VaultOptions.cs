using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Vault;

/// <summary>Configuration section <c>Piccolo:Vault</c>: password and first claim.</summary>
public sealed class VaultOptions
{
    public const string Section = "Piccolo:Vault";

    /// <summary>
    /// Whether the first claim needs the code that the log shows. The unit and the image of <c>packaging</c> switch it on. Where it is off, the first visitor
    /// on the network owns the device.
    /// </summary>
    public bool RequireSetupCode { get; set; }

    /// <summary>Argon2id cost of each password attempt.</summary>
    [Required]
    public KdfOptions Kdf { get; set; } = new();
}

/// <summary>Argon2id cost of each password attempt. A key set stores the cost with which it was made.</summary>
public sealed class KdfOptions
{
    /// <summary>Memory in MiB.</summary>
    [Range(KdfCost.MinMemoryMiB, KdfCost.MaxMemoryMiB)]
    public int MemoryMiB { get; set; } = KdfCost.Default.MemoryMiB;

    /// <summary>Passes.</summary>
    [Range(KdfCost.MinIterations, KdfCost.MaxIterations)]
    public int Iterations { get; set; } = KdfCost.Default.Iterations;

    public KdfCost ToCost() => new(MemoryMiB, Iterations);
}
