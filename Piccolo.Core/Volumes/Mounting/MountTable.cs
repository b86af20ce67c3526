using System.Collections.Immutable;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Piccolo.Core.Primitives;

namespace Piccolo.Core.Volumes.Mounting;

/// <summary>One line of the kernel's table of mounts.</summary>
/// <param name="Point">Without links.</param>
/// <param name="IsShared">What is mounted below it is mounted in its peers too, and the other way round.</param>
/// <param name="IsFollower">It gets what is mounted below its master and hands nothing back: its name space is a service's own.</param>
internal sealed record MountEntry(string Point, string FileSystem, bool IsShared, bool IsFollower);

/// <summary>The mounts of this process's name space, as the kernel lists them (proc(5)).</summary>
internal static class MountTable
{
    private const string TableFile = "/proc/self/mountinfo";

    public static ImmutableArray<MountEntry> Read() => Parse(File.ReadAllText(TableFile));

    /// <summary>The names of the folders right below one on which something is mounted.</summary>
    public static ImmutableHashSet<string> NamesIn(string folder)
    {
        // The kernel tells paths without links.
        using var handle = new SafeFileHandle(Posix.Open(folder, Posix.O_RDONLY | Posix.O_CLOEXEC), ownsHandle: true);
        if (handle.IsInvalid || new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget is not { } real) return [];
        return [.. Read().Where(m => m.Point.StartsWith(real + "/", StringComparison.Ordinal)).Select(m => m.Point[(real.Length + 1)..])
            .Where(n => !n.Contains('/', StringComparison.Ordinal))];
    }

    internal static ImmutableArray<MountEntry> Parse(string table)
    {
        var entries = ImmutableArray.CreateBuilder<MountEntry>();
        foreach (var line in table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // id, parent, device, root, point, options, any number of tags, a dash, type, source, options of the file system
            var fields = line.Split(' ');
            var dash = fields.Length > 6 ? Array.IndexOf(fields, "-", 6) : -1;
            if (dash < 6 || dash + 1 >= fields.Length) continue;
            var tags = fields[6..dash];
            entries.Add(new MountEntry(Plain(fields[4]), fields[dash + 1], Has(tags, "shared:"), Has(tags, "master:")));
        }
        return entries.ToImmutable();
    }

    private static bool Has(string[] tags, string tag) => tags.Any(t => t.StartsWith(tag, StringComparison.Ordinal));

    /// <summary>The kernel writes spaces and the like as three octal digits.</summary>
    private static string Plain(string point)
    {
        if (!point.Contains('\\', StringComparison.Ordinal)) return point;
        var bytes = new List<byte>();
        var text = Encoding.UTF8.GetBytes(point);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[(i + 1)..(i + 4)].All(b => b is >= (byte)'0' and <= (byte)'7'))
            {
                bytes.Add((byte)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else bytes.Add(text[i]);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
