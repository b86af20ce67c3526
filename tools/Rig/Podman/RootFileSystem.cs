using System.Formats.Tar;
using System.Text;
using System.Text.RegularExpressions;

namespace Piccolo.Rig.Podman;

/// <summary>An empty folder of an image, with its owner.</summary>
internal sealed record OwnedFolder(string Place, int UserId, UnixFileMode Mode);

/// <summary>Makes the tar of an image's root file system out of files of this machine.</summary>
internal static partial class RootFileSystem
{
    private const UnixFileMode Everybody =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>The system's libraries that the binaries need, by the paths at which the loader looks for them.</summary>
    /// <param name="loaded">Names of libraries that are loaded at run time, so that no binary lists them.</param>
    public static async Task<IEnumerable<string>> LibrariesAsync(
        IReadOnlyCollection<string> binaries, IReadOnlyCollection<string> loaded, CancellationToken cancellationToken)
    {
        var cache = await Tool.RunAsync(Tool.Prepare("ldconfig", ["-p"]), cancellationToken);
        var paths = loaded.Select(name => CachedLibrary().Matches(cache).FirstOrDefault(m => m.Groups["name"].Value == name)?.Groups["path"].Value
            ?? throw new InvalidOperationException($"{name} is missing. Install it: apt-get install libssl3")).ToList();
        var needed = await Tool.RunAsync(Tool.Prepare("ldd", binaries.Concat(paths)), cancellationToken);
        return NeededLibrary().Matches(needed).Select(m => m.Value).Concat(paths).Distinct(StringComparer.Ordinal);
    }

    /// <param name="inputs">Place in the image → file on this machine.</param>
    /// <param name="users">The content of /etc/passwd.</param>
    public static async Task WriteAsync(
        string tar, SortedDictionary<string, string> inputs, string users, IReadOnlyList<OwnedFolder> owned, CancellationToken cancellationToken)
    {
        await using var file = File.Create(tar);
        await using var writer = new TarWriter(file, TarEntryFormat.Pax);
        foreach (var folder in Folders([.. inputs.Keys, .. owned.Select(o => o.Place)]).Where(f => owned.All(o => o.Place != "/" + f)))
            await AddAsync(new PaxTarEntry(TarEntryType.Directory, folder + "/") { Mode = Everybody });
        foreach (var folder in owned)
        {
            await AddAsync(new PaxTarEntry(TarEntryType.Directory, folder.Place.TrimStart('/') + "/")
            {
                Mode = folder.Mode,
                Uid = folder.UserId,
                Gid = folder.UserId,
            });
        }
        await AddAsync(new PaxTarEntry(TarEntryType.Directory, "tmp/")
        {
            Mode = Everybody | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit,
        });
        await AddAsync(new PaxTarEntry(TarEntryType.RegularFile, "etc/passwd")
        {
            Mode = Everybody,
            DataStream = new MemoryStream(Encoding.UTF8.GetBytes(users)),
        });
        // Without it the C library asks DNS first, and waits for it.
        await AddAsync(new PaxTarEntry(TarEntryType.RegularFile, "etc/nsswitch.conf")
        {
            Mode = Everybody,
            DataStream = new MemoryStream("hosts: files dns\n"u8.ToArray()),
        });
        foreach (var (place, path) in inputs)
        {
            await using var content = File.OpenRead(path);
            await AddAsync(new PaxTarEntry(TarEntryType.RegularFile, place.TrimStart('/')) { Mode = Everybody, DataStream = content });
        }

        Task AddAsync(PaxTarEntry entry)
        {
            entry.ModificationTime = DateTimeOffset.UnixEpoch;
            return writer.WriteEntryAsync(entry, cancellationToken);
        }
    }

    private static SortedSet<string> Folders(IEnumerable<string> places)
    {
        var folders = new SortedSet<string>(StringComparer.Ordinal) { "etc" };
        foreach (var place in places)
            for (var folder = Path.GetDirectoryName(place); folder is { Length: > 1 }; folder = Path.GetDirectoryName(folder))
                folders.Add(folder.TrimStart('/'));
        return folders;
    }

    [GeneratedRegex(@"^\s*(?<name>\S+) \([^)]*x86-64[^)]*\) => (?<path>/\S+)|^\s*(?<name>\S+) \([^)]*AArch64[^)]*\) => (?<path>/\S+)", RegexOptions.Multiline)]
    private static partial Regex CachedLibrary();

    [GeneratedRegex(@"(?<=(?:=> |^\s+))/\S+(?= \(0x)", RegexOptions.Multiline)]
    private static partial Regex NeededLibrary();
}
