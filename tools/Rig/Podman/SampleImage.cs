using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Rig.Podman;

/// <summary>
/// The sample app as an image, made without any registry: the app's build, this machine's shared frameworks and the libraries that they load. The tar
/// is kept under the hash of its inputs, so that only the first run builds it.
/// </summary>
public static class SampleImage
{
    public const string Name = "localhost/piccolo-sample:latest";
    private const string Users = "root:x:0:0:root:/:/sbin/nologin\napp:x:1000:1000:app:/tmp:/sbin/nologin\n";

    /// <summary>Two who need the image at the same time would write the same file.</summary>
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <summary>Loaded by name at run time, so that no binary lists them.</summary>
    private static readonly string[] Loaded = ["libssl.so.3", "libcrypto.so.3"];

    /// <summary>Wants a tracing library that few machines have, and is of no use here; the others are the debugger's.</summary>
    private static readonly string[] LeftOut = ["libcoreclrtraceptprovider.so", "libmscordaccore.so", "libmscordbi.so", "createdump"];

    private static readonly string[] Files = ["SampleApp.dll", "SampleApp.deps.json", "SampleApp.runtimeconfig.json", "Npgsql.dll"];

    /// <summary>Builds the tar where needed and imports it as <see cref="Name"/>.</summary>
    public static Task ImportAsync(PodmanServer podman, CancellationToken cancellationToken = default) => ImportAsync(podman, Name, [], cancellationToken);

    /// <summary>The same under another name, with more instructions.</summary>
    public static async Task ImportAsync(PodmanServer podman, string name, IEnumerable<string> more, CancellationToken cancellationToken = default) =>
        await podman.ImportAsync(await BuildAsync(cancellationToken), name, Changes.Concat(more), cancellationToken);

    /// <summary>What runs the sample app in the container; its commands are appended to it.</summary>
    public static string[] Program => [$"{DotnetRoot}/dotnet", "/app/SampleApp.dll"];

    /// <returns>The tar of the root file system.</returns>
    public static async Task<string> BuildAsync(CancellationToken cancellationToken = default)
    {
        var inputs = await InputsAsync(cancellationToken);
        var folder = Directory.CreateDirectory(CacheFolder());
        var tar = Path.Combine(folder.FullName, $"sample-{HashOf(inputs)}.tar");
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (File.Exists(tar)) return tar;
            foreach (var old in folder.EnumerateFiles("sample-*.tar")) old.Delete();
            var temporary = $"{tar}.{Environment.ProcessId}.tmp";
            await RootFileSystem.WriteAsync(temporary, inputs, Users, [], cancellationToken);
            File.Move(temporary, tar, overwrite: true);
            return tar;
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static string DotnetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string[] Changes =>
    [
        $"ENTRYPOINT [\"{DotnetRoot}/dotnet\", \"/app/SampleApp.dll\"]",
        "EXPOSE 8080/tcp",
        "EXPOSE 8443/tcp",
        "ENV DOTNET_EnableDiagnostics=0",
        "ENV HOME=/tmp",
        "USER 1000:1000",
    ];

    /// <summary>Place in the image → file on this machine.</summary>
    private static async Task<SortedDictionary<string, string>> InputsAsync(CancellationToken cancellationToken)
    {
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Files)
        {
            var path = Path.Combine(AppContext.BaseDirectory, file);
            inputs["/app/" + file] = File.Exists(path) ? path : throw new InvalidOperationException($"The sample app is not built: {path} is missing.");
        }
        var version = Path.GetFileName(Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory()));
        inputs[DotnetRoot + "/dotnet"] = DotnetRoot + "/dotnet";
        foreach (var part in new[] { $"host/fxr/{version}", $"shared/Microsoft.NETCore.App/{version}", $"shared/Microsoft.AspNetCore.App/{version}" })
            foreach (var file in Directory.EnumerateFiles(Path.Combine(DotnetRoot, part)).Where(f => !LeftOut.Contains(Path.GetFileName(f))))
                inputs[file] = file;
        string[] binaries = [.. inputs.Values.Where(f => f.EndsWith(".so", StringComparison.Ordinal)), DotnetRoot + "/dotnet"];
        foreach (var library in await RootFileSystem.LibrariesAsync(binaries, Loaded, cancellationToken))
            if (!library.StartsWith(DotnetRoot, StringComparison.Ordinal)) inputs[library] = library;
        return inputs;
    }

    private static string HashOf(SortedDictionary<string, string> inputs)
    {
        var text = new StringBuilder();
        foreach (var (place, path) in inputs)
        {
            // The frameworks never change in place; the app does.
            var file = new FileInfo(path);
            var mark = place.StartsWith("/app/", StringComparison.Ordinal) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))
                : $"{file.Length} {file.LastWriteTimeUtc.Ticks}";
            text.Append(place).Append(' ').Append(mark).Append('\n');
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }

    /// <summary>Beside the build where there is one, so that cleaning the build cleans this too.</summary>
    internal static string CacheFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (folder.Name == "artifacts") return Path.Combine(folder.FullName, "sample-image");
        return Path.Combine(Path.GetTempPath(), "piccolo-sample-image");
    }
}
