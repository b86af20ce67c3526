using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Argon2Parameters = NSec.Cryptography.Argon2Parameters;
using PasswordBasedKeyDerivationAlgorithm = NSec.Cryptography.PasswordBasedKeyDerivationAlgorithm;

namespace Piccolo.Core.Vault;

/// <summary>
/// The cost of one Argon2id run (RFC 9106). Bounded on both sides: a key set whose file asks for less is not ours, and one that asks for more
/// would let a hostile file take the memory of the machine.
/// </summary>
public readonly record struct KdfCost(int MemoryMiB, int Iterations)
{
    public const int MinMemoryMiB = 64;
    public const int MaxMemoryMiB = 1024;
    public const int MinIterations = 2;
    public const int MaxIterations = 16;

    public static readonly KdfCost Default = new(256, 3);

    /// <summary>The dearer of the two in each respect.</summary>
    public KdfCost AtLeast(KdfCost other) => new(Math.Max(MemoryMiB, other.MemoryMiB), Math.Max(Iterations, other.Iterations));

    /// <summary>
    /// Whether a key set that anybody may have written is worth this much here: at most twice the memory and four times the work of the default, or of
    /// <paramref name="configured"/> where that is dearer.
    /// </summary>
    public bool IsImportable(KdfCost configured) =>
        MemoryMiB <= Math.Max(2 * Default.MemoryMiB, configured.MemoryMiB)
        && MemoryMiB * Iterations <= Math.Max(4 * Default.MemoryMiB * Default.Iterations, configured.MemoryMiB * configured.Iterations);

    public bool IsAcceptable => MemoryMiB is >= MinMemoryMiB and <= MaxMemoryMiB && Iterations is >= MinIterations and <= MaxIterations;
}

/// <summary>Password to key-encryption key.</summary>
internal static class PasswordKeyDerivation
{
    public const int SaltLength = 16;

    /// <param name="destination">32 bytes; the caller wipes them.</param>
    public static void Derive(string password, ReadOnlySpan<byte> salt, KdfCost cost, Span<byte> destination)
    {
        if (!cost.IsAcceptable) throw new ArgumentOutOfRangeException(nameof(cost), cost, "Argon2id cost out of bounds.");
        // The bytes as they were sent, not normalised: the tables that normalise belong to a system library that may be missing or differ after an
        // update, and then the right password would not open the box.
        var secret = GC.AllocateUninitializedArray<byte>(Encoding.UTF8.GetByteCount(password), pinned: true);
        try
        {
            Encoding.UTF8.GetBytes(password, secret);
            DeriveBytes(secret, salt, cost.MemoryMiB * 1024, cost.Iterations, destination);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            ClearStack();
        }
    }

    /// <summary>The library leaves its last blocks, and with them the key, in stack that nobody uses any more.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ClearStack()
    {
        Span<byte> used = stackalloc byte[32 * 1024];
        CryptographicOperations.ZeroMemory(used);
    }

    internal static void DeriveBytes(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memoryKiB, int passes, Span<byte> destination) =>
        PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = memoryKiB, NumberOfPasses = passes })
            .DeriveBytes(password, salt, destination);
}
