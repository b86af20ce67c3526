using System.Buffers;
using System.Text;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Containers;

/// <summary>The random name of this installation, 32 hexadecimal digits, kept in its state folder.</summary>
public sealed record InstanceId
{
    private const int Length = 32;
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private InstanceId(string value) => Value = value;

    public string Value { get; }

    /// <summary>What container names carry.</summary>
    public string Prefix => Value[..8];

    public static InstanceId NewRandom() => new(Guid.NewGuid().ToString("N"));

    /// <summary>Reads the id, or makes one where there is none or where the file is damaged: <paramref name="replaced"/> then says so.</summary>
    public static InstanceId ReadOrCreate(StatePaths paths, out bool replaced)
    {
        AtomicFile.DeleteLeftovers(paths.InstanceId);
        replaced = false;
        if (File.Exists(paths.InstanceId))
        {
            if (TryRead(paths.InstanceId) is { } known) return known;
            replaced = true;
        }
        var fresh = NewRandom();
        AtomicFile.Write(paths.InstanceId, Encoding.ASCII.GetBytes(fresh.Value + "\n"));
        return fresh;
    }

    private static InstanceId? TryRead(string path)
    {
        using var file = new StreamReader(StateFile.OpenRead(path), Encoding.ASCII);
        Span<char> text = stackalloc char[Length + 2];
        var read = text[..file.ReadBlock(text)].TrimEnd('\n');
        return read.Length == Length && !read.ContainsAnyExcept(HexDigits) ? new InstanceId(read.ToString()) : null;
    }
}
