using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Piccolo.Core.Vault;

/// <summary>Why a text is not a recovery phrase. The message is for the person who typed it and quotes nothing of it.</summary>
public sealed record PhraseError(string Message);

/// <summary>
/// 256 bits as 24 words of the English BIP-39 list: 24 × 11 bits, of which the last 8 are the first bits of the entropy's SHA-256
/// (https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki).
/// </summary>
public static class RecoveryPhrase
{
    public const int WordCount = 24;
    public const int EntropyLength = 32;

    /// <summary>Longer than any phrase with numbering and line ends.</summary>
    public const int MaxTextLength = 1024;

    private const int BitsPerWord = 11;
    private static readonly string[] List = ReadList();
    private static readonly FrozenDictionary<string, int> Index = List.Select((word, i) => (word, i))
        .ToFrozenDictionary(w => w.word, w => w.i, StringComparer.Ordinal);

    /// <summary>The 2048 words in their order.</summary>
    public static IReadOnlyList<string> Words => List;

    public static string[] Write(ReadOnlySpan<byte> entropy)
    {
        if (entropy.Length != EntropyLength) throw new ArgumentException("A recovery key has 32 bytes.", nameof(entropy));
        Span<byte> bits = stackalloc byte[EntropyLength + 1];
        entropy.CopyTo(bits);
        bits[^1] = Checksum(entropy);
        var words = new string[WordCount];
        for (var i = 0; i < WordCount; i++) words[i] = List[ReadBits(bits, i * BitsPerWord)];
        CryptographicOperations.ZeroMemory(bits);
        return words;
    }

    /// <summary>Reads what a person typed or pasted: any case, any spacing, commas, and numbering such as <c>1. abandon</c> or <c>1) abandon</c>.</summary>
    /// <param name="entropy">32 bytes, which the caller wipes; zeroes when the text is refused.</param>
    public static PhraseError? TryRead(string text, Span<byte> entropy)
    {
        CryptographicOperations.ZeroMemory(entropy);
        if (text.Length > MaxTextLength) return new PhraseError($"The recovery key has {WordCount} words; this text is too long.");
        Span<byte> bits = stackalloc byte[EntropyLength + 1];
        bits.Clear();
        var count = 0;
        try
        {
            foreach (var word in Split(text))
            {
                if (++count > WordCount) continue;
                if (!Index.TryGetValue(word, out var number))
                    return new PhraseError($"Word {count} is not in the list of recovery words. Check it for a typing error.");
                WriteBits(bits, (count - 1) * BitsPerWord, number);
            }
            if (count != WordCount) return new PhraseError($"The recovery key has {WordCount} words; {count} were given.");
            if (Checksum(bits[..EntropyLength]) != bits[^1]) return new PhraseError("Checksum mismatch: one word is wrong, or two are swapped.");
            bits[..EntropyLength].CopyTo(entropy);
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bits);
        }
    }

    /// <summary>The runs of letters. All words are ASCII letters, so whatever else stands between them is spacing, commas or numbering.</summary>
    private static IEnumerable<string> Split(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            while (i < text.Length && char.IsLetter(text[i])) i++;
            if (i > start) yield return text[start..i].ToLowerInvariant();
            else i++;
        }
    }

    private static byte Checksum(ReadOnlySpan<byte> entropy)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(entropy, hash);
        return hash[0];
    }

    private static int ReadBits(ReadOnlySpan<byte> bits, int offset)
    {
        var value = 0;
        for (var i = offset; i < offset + BitsPerWord; i++) value = value << 1 | bits[i / 8] >> (7 - i % 8) & 1;
        return value;
    }

    private static void WriteBits(Span<byte> bits, int offset, int value)
    {
        for (var i = 0; i < BitsPerWord; i++)
        {
            if ((value >> (BitsPerWord - 1 - i) & 1) != 0) bits[(offset + i) / 8] |= (byte)(0x80 >> (offset + i) % 8);
        }
    }

    private static string[] ReadList()
    {
        using var stream = typeof(RecoveryPhrase).Assembly.GetManifestResourceStream("bip39-english.txt")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
