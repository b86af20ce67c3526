using System.Formats.Tar;
using System.Text;
using Piccolo.Core.Volumes;

namespace Piccolo.Tests.Core.Volumes;

/// <summary>Tars of an image's folder, honest and otherwise.</summary>
internal static class TarText
{
    public const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    public const UnixFileMode Folder = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static byte[] Of(params TarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var writer = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
            foreach (var entry in entries) writer.WriteEntry(entry);
        return bytes.ToArray();
    }

    public static TarEntry Dir(string name, UnixFileMode mode = Folder, int owner = 0) =>
        new PaxTarEntry(TarEntryType.Directory, name) { Mode = mode, Uid = owner, Gid = owner };

    public static TarEntry File(string name, string text = "text", UnixFileMode mode = Plain, int owner = 0) => new PaxTarEntry(TarEntryType.RegularFile, name)
    {
        Mode = mode,
        Uid = owner,
        Gid = owner,
        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
        ModificationTime = new DateTimeOffset(2020, 2, 3, 4, 5, 6, TimeSpan.Zero),
    };

    public static TarEntry Link(string name, string target, TarEntryType type = TarEntryType.SymbolicLink) => new PaxTarEntry(type, name) { LinkName = target };

    /// <summary>A header of the old kind, written by hand: writers refuse what readers must.</summary>
    public static byte[] Header(string name, char type, string size = "00000000000", string link = "")
    {
        var block = new byte[512];
        Encoding.UTF8.GetBytes(name).CopyTo(block, 0);
        Put(100, "0000644");
        Put(108, "0000000");
        Put(116, "0000000");
        Put(124, size);
        Put(136, "00000000000");
        block[156] = (byte)type;
        Put(157, link);
        Put(257, "ustar\0" + "00");
        block.AsSpan(148, 8).Fill((byte)' ');
        Put(148, Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        return block;

        void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(block, at);
    }

    public static readonly byte[] End = new byte[1024];

    public static WantedVolume Wanted(byte[] tar, string? image = null, long? limit = null) =>
        new("data", limit, image, _ => Task.FromResult<Stream?>(new MemoryStream(tar)));
}
