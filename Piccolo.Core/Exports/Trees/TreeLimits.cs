namespace Piccolo.Core.Exports.Trees;

/// <summary>What a copy of a volume may be at most. Who writes and who reads have the same limits: what was exported can be imported.</summary>
internal sealed record TreeLimits
{
    public static readonly TreeLimits Default = new();

    /// <summary>Files, folders and links of an export.</summary>
    public int Entries { get; init; } = 20_000_000;

    /// <summary>Of a name in the export, in characters. The kernel takes paths of 4096; the rest is for the folder above, on any device.</summary>
    public int NameLength { get; init; } = 3800;

    /// <summary>Files of a volume with more than one name, of which not all names were met yet: each is kept in memory.</summary>
    public int LinkedFiles { get; init; } = 200_000;

    /// <summary>Parts of a file between holes; further holes are written out.</summary>
    public int Segments { get; init; } = 65_536;

    /// <summary>Of one file, holes included: the most that ext4 takes.</summary>
    public long FileLength { get; init; } = 16L << 40;
}

/// <summary>A volume cannot be read whole. The message begins in the middle of a sentence.</summary>
internal sealed class TreeUnreadableException(string message, Exception? inner = null) : Exception(message, inner);
