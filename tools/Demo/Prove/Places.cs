using System.Globalization;
using System.Runtime.InteropServices;
using Piccolo.Rig.Podman;

namespace Piccolo.Demo.Prove;

/// <summary>Reads the places where a secret could remain, raw: every byte of files and of a process's memory. Needs root for the latter.</summary>
public static class Places
{
    private const int Chunk = 1 << 22;

    public static IEnumerable<Leak> Search(string place, ReadOnlySpan<byte> content, IReadOnlyList<Canary> canaries)
    {
        var leaks = new List<Leak>();
        foreach (var canary in canaries)
        {
            for (var form = 0; form < canary.Forms.Length; form++)
                if (content.IndexOf(canary.Forms[form]) >= 0) leaks.Add(new Leak(place, canary.Name, form));
        }
        return leaks;
    }

    public static IEnumerable<Leak> SearchFile(string path, IReadOnlyList<Canary> canaries)
    {
        // The daemon's lock file is empty, and locked against readers too.
        if (new FileInfo(path).Length == 0) return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return SearchStream(path, file, 0, file.Length, canaries).Distinct().ToList();
    }

    /// <summary>Everything that a core dump would hold, read from the living process.</summary>
    public static IReadOnlyList<Leak> SearchMemory(int processId, IReadOnlyList<Canary> canaries)
    {
        var leaks = new List<Leak>();
        using var memory = new FileStream($"/proc/{processId}/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        foreach (var line in File.ReadAllLines($"/proc/{processId}/maps"))
        {
            // address range, permissions, offset, device, inode, name
            var parts = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            var name = parts.Length == 6 ? parts[5] : "anonymous";
            if (parts[1][0] != 'r' || name is "[vvar]" or "[vsyscall]" or "[vvar_vclock]") continue;
            // What cannot be written holds nothing but the program.
            if (parts[1][1] != 'w' && name.StartsWith('/')) continue;
            var range = parts[0].Split('-');
            var from = long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var to = long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            leaks.AddRange(SearchStream($"memory {parts[0]} {name}", memory, from, to, canaries).Distinct());
        }
        return leaks;
    }

    /// <summary>Has the runtime's own tool write a full core dump of the process. Needs the right to trace it.</summary>
    /// <returns>Its bytes.</returns>
    public static async Task<long> DumpCoreAsync(int processId, string path, CancellationToken cancellationToken)
    {
        var tool = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "createdump");
        await Tool.RunAsync(Tool.Prepare(tool, ["--full", "--name", path, processId.ToString(CultureInfo.InvariantCulture)]), cancellationToken);
        return new FileInfo(path).Length;
    }

    private static IEnumerable<Leak> SearchStream(string place, FileStream stream, long from, long to, IReadOnlyList<Canary> canaries)
    {
        var overlap = canaries.Max(c => c.LongestForm);
        var buffer = new byte[(int)Math.Min(Chunk + overlap, Math.Max(to - from, 1))];
        for (var at = from; at < to; at += Chunk)
        {
            var length = Read(stream, at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - at)));
            foreach (var leak in Search(place, buffer.AsSpan(0, length), canaries)) yield return leak;
        }
    }

    private static int Read(FileStream stream, long at, Span<byte> buffer)
    {
        var length = 0;
        try
        {
            while (length < buffer.Length && RandomAccess.Read(stream.SafeFileHandle, buffer[length..], at + length) is > 0 and var read) length += read;
        }
        catch (IOException)
        {
            // Reserved, and never touched: there is nothing there.
        }
        return length;
    }
}
