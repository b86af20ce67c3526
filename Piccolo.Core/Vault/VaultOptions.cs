using System.ComponentModel.DataAnnotations;

namespace Piccolo.Core.Vault;

/// <summary>Configuration section <c>Piccolo:Vault</c>.</summary>
public sealed class VaultOptions
{
    public const string Section = "Piccolo:Vault";

    /// <summary>Whether the first claim needs the code that the console shows. Default false; the unit and the image of <c>packaging</c> switch it on.</summary>
    public bool RequireSetupCode { get; set; }

    [Required]
    public KdfOptions Kdf { get; set; } = new();
}

/// <summary>What a guess at the password costs, in memory and passes. A key set remembers the cost with which it was made.</summary>
public sealed class KdfOptions
{
    /// <summary>Argon2id memory. Default 256 MiB.</summary>
    [Range(KdfCost.MinMemoryMiB, KdfCost.MaxMemoryMiB)]
    public int MemoryMiB { get; set; } = KdfCost.Default.MemoryMiB;

    /// <summary>Argon2id passes. Default 3.</summary>
    [Range(KdfCost.MinIterations, KdfCost.MaxIterations)]
    public int Iterations { get; set; } = KdfCost.Default.Iterations;

    public KdfCost ToCost() => new(MemoryMiB, Iterations);
}
