namespace Piccolo.Tests.Fakes.Files;

/// <summary>A copy of what a failed test left, for a person to read; what would fill the disk stays out.</summary>
internal static class KeptFolder
{
    public const long MaxFile = 8L << 20;
    public const long MaxTotal = 64L << 20;

    /// <summary>Copies regular files; links, sockets and pipes are left out, and what is too large is named in <c>left-out.txt</c>.</summary>
    public static void Copy(string source, string target)
    {
        var (total, leftOut) = (0L, new List<string>());
        CopyInto(new DirectoryInfo(source), target);
        if (leftOut.Count > 0) File.WriteAllLines(Path.Combine(target, "left-out.txt"), leftOut);

        void CopyInto(DirectoryInfo folder, string place)
        {
            Directory.CreateDirectory(place);
            foreach (var entry in folder.EnumerateFileSystemInfos().Where(entry => entry.LinkTarget is null))
            {
                var copy = Path.Combine(place, entry.Name);
                if (entry is DirectoryInfo inner) CopyInto(inner, copy);
                // Sockets and pipes have no length either, and opening one would wait for ever.
                else if (((FileInfo)entry).Length is 0) File.Create(copy).Dispose();
                else if (((FileInfo)entry).Length is var length && (length > MaxFile || total + length > MaxTotal)) leftOut.Add($"{entry.FullName} {length}");
                else
                {
                    total += length;
                    File.Copy(entry.FullName, copy);
                }
            }
        }
    }
}
