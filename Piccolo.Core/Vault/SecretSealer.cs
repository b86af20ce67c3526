using System.Security.Cryptography;

namespace Piccolo.Core.Vault;

/// <summary>
/// AES-256-GCM with a random 96-bit nonce: <c>nonce (12) | ciphertext | tag (16)</c>. The associated data says where the box belongs, so that a box
/// moved to another place does not open. One caller at a time: the cipher below shares its context.
/// </summary>
public sealed class SecretSealer : IDisposable
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    /// <summary>What a box adds to its content, in bytes.</summary>
    public const int Overhead = NonceLength + TagLength;

    private readonly AesGcm _cipher;

    public SecretSealer(ReadOnlySpan<byte> key) => _cipher = new AesGcm(key, TagLength);

    public byte[] Seal(ReadOnlySpan<byte> content, ReadOnlySpan<byte> associatedData)
    {
        var box = new byte[content.Length + Overhead];
        var nonce = box.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        _cipher.Encrypt(nonce, content, box.AsSpan(NonceLength, content.Length), box.AsSpan(NonceLength + content.Length), associatedData);
        return box;
    }

    /// <returns>The content, or null when the box is damaged, cut, sealed by another key or taken from another place.</returns>
    public byte[]? Open(ReadOnlySpan<byte> box, ReadOnlySpan<byte> associatedData)
    {
        if (box.Length < Overhead) return null;
        var content = new byte[box.Length - Overhead];
        return TryOpen(box, associatedData, content) ? content : null;
    }

    /// <summary>As <see cref="Open"/>, into memory of the caller's choice: a key must not pass through memory that the collector may copy.</summary>
    /// <param name="content">As long as the box less <see cref="Overhead"/>; zeroes when the box does not open.</param>
    public bool TryOpen(ReadOnlySpan<byte> box, ReadOnlySpan<byte> associatedData, Span<byte> content)
    {
        if (box.Length != content.Length + Overhead) return false;
        try
        {
            _cipher.Decrypt(box[..NonceLength], box[NonceLength..^TagLength], box[^TagLength..], content, associatedData);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            CryptographicOperations.ZeroMemory(content);
            return false;
        }
    }

    public void Dispose() => _cipher.Dispose();
}
