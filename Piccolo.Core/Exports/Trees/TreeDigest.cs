using System.Buffers.Binary;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Core.Exports.Trees;

/// <summary>What the copy of one volume came to.</summary>
/// <param name="Bytes">Of the files' content, without holes.</param>
/// <param name="Sha256">Of all that the copy keeps, in hexadecimal digits.</param>
internal sealed record TreeSummary(long Entries, long Bytes, string Sha256)
{
    public const int MaxBytes = 1024;

    /// <summary>The entry behind a volume's last one.</summary>
    public static string NameOf(string volume) => $"{volume}.json";
}

/// <summary>
/// Adds up what is copied of a volume: for each entry its kind, name, mode, link and attributes, each with its length before it, then its data. Reader and
/// writer feed it the same.
/// </summary>
internal sealed class TreeDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _entries;
    private long _bytes;

    /// <summary>An entry, before its data.</summary>
    public void Add(TarEntry entry)
    {
        _entries++;
        Number((byte)entry.EntryType);
        Text(entry.Name.TrimEnd('/'));
        Number((long)entry.Mode);
        Text(entry.LinkName ?? "");
        var attributes = TreeAttributes.Of(entry).ToList();
        Number(attributes.Count);
        foreach (var (name, value) in attributes)
        {
            Text(name);
            Text(value);
        }
        Number(entry.Length);
    }

    public void AddData(ReadOnlySpan<byte> data)
    {
        _bytes += data.Length;
        _hash.AppendData(data);
    }

    public TreeSummary Finish() => new(_entries, _bytes, Convert.ToHexStringLower(_hash.GetHashAndReset()));

    public void Dispose() => _hash.Dispose();

    private void Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        _hash.AppendData(bytes);
    }

    private void Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Number(bytes.Length);
        _hash.AppendData(bytes);
    }
}
