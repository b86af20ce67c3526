namespace Piccolo.Rig.Podman;

/// <summary>An image of a few megabytes whose program waits for ever: for measurements of what an appliance costs, not its apps.</summary>
public static class SmallImage
{
    public const string Name = "localhost/piccolo-small:latest";
    private const string Program = "/bin/sleep";

    public static async Task ImportAsync(PodmanServer podman, CancellationToken cancellationToken = default)
    {
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal) { [Program] = Program };
        foreach (var library in await RootFileSystem.LibrariesAsync([Program], [], cancellationToken)) inputs[library] = library;
        var tar = Path.Combine(Directory.CreateDirectory(SampleImage.CacheFolder()).FullName, $"small-{Environment.ProcessId}.tar");
        try
        {
            await RootFileSystem.WriteAsync(tar, inputs, "root:x:0:0:root:/:/sbin/nologin\n", [], cancellationToken);
            await podman.ImportAsync(tar, Name, [$"ENTRYPOINT [\"{Program}\", \"infinity\"]"], cancellationToken);
        }
        finally
        {
            File.Delete(tar);
        }
    }
}
