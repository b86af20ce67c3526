using System.Text.RegularExpressions;

namespace Piccolo.Tests.Core.Durability;

/// <summary>Reads what <c>strace -f -y</c> writes: one line a call, or two where another thread came between.</summary>
internal static partial class SystemCallTrace
{
    /// <summary>For <c>strace -e</c>. The question mark is for architectures that lack the call.</summary>
    public const string Calls = "trace=?open,openat,write,pwrite64,writev,pwritev,ftruncate,fsync,fdatasync,syncfs,?rename,?renameat,renameat2,?unlink,unlink"
        + "at,?rmdir,?mkdir,mkdirat";

    public static IReadOnlyList<SystemCall> Parse(IEnumerable<string> lines)
    {
        var calls = new List<SystemCall>();
        var open = new Dictionary<string, (int Started, string Text)>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (Line.Match(line) is not { Success: true } parts) continue;
            var (thread, text, started) = (parts.Groups[1].Value, parts.Groups[2].Value, number);
            if (Resumed.Match(text) is { Success: true } resumed)
            {
                if (!open.Remove(thread, out var begun)) throw new FormatException($"Line {number} resumes what never began: {line}");
                (started, text) = (begun.Started, begun.Text + text[resumed.Length..]);
            }
            if (text.EndsWith(Unfinished, StringComparison.Ordinal))
            {
                open[thread] = (started, text[..^Unfinished.Length]);
                continue;
            }
            if (Call.Match(text) is { Success: true } call) calls.Add(Read(started, number, call));
        }
        return [.. calls.OrderBy(c => c.Started)];
    }

    private const string Unfinished = " <unfinished ...>";

    private static SystemCall Read(int started, int ended, Match call)
    {
        var (name, arguments, result) = (call.Groups[1].Value, call.Groups[2].Value, call.Groups[3].Value);
        // What was written may look like anything, so such a call's file is its descriptor's.
        var byDescriptor = name is "write" or "pwrite64" or "writev" or "pwritev" or "ftruncate" or "fsync" or "fdatasync" or "syncfs";
        var paths = (byDescriptor ? Descriptor : Quoted).Matches(arguments).Select(m => m.Groups[1].Value);
        return new SystemCall(started, ended, name, [.. byDescriptor ? paths.Take(1) : paths], arguments.Contains("O_CREAT", StringComparison.Ordinal),
            char.IsAsciiDigit(result[0]));
    }

    [GeneratedRegex(@"^(\d+)\s+(.*)$")]
    private static partial Regex Line { get; }

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed { get; }

    [GeneratedRegex(@"^(\w+)\((.*)\)\s+= (\S+)")]
    private static partial Regex Call { get; }

    [GeneratedRegex("^\\d+<([^>]*)>")]
    private static partial Regex Descriptor { get; }

    [GeneratedRegex("\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Quoted { get; }
}
