using System.Security.Cryptography;
using System.Text;

namespace Piccolo.Rig.Podman;

/// <summary>
/// A PostgreSQL as an image, made of this machine's Debian package: it begins as the images of registries do, with a cluster of its own in an empty data
/// folder and the superuser's password from POSTGRES_PASSWORD.
/// </summary>
public static class PostgresImage
{
    public const string Name = "localhost/piccolo-postgres:15";
    private const string Data = "/var/lib/postgresql/data";
    private const int UserId = 999;

    private const string Script = """
        #!/bin/bash
        set -e
        if [ ! -s "$PGDATA/PG_VERSION" ]; then
          initdb --pgdata="$PGDATA" --username=postgres --encoding=UTF8 --no-locale --data-checksums --auth-local=trust --auth-host=scram-sha-256 \
            --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
          echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
          echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
        fi
        exec postgres -D "$PGDATA" -c unix_socket_directories=/tmp
        """;

    private static readonly string[] Tools = ["/bin/bash", "/bin/sh", "/bin/cat"];

    /// <summary>Two who need the image at the same time would write the same file.</summary>
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <exception cref="InvalidOperationException">This machine has no PostgreSQL server.</exception>
    public static async Task ImportAsync(PodmanServer podman, CancellationToken cancellationToken = default) =>
        await podman.ImportAsync(await BuildAsync(cancellationToken), Name, Changes, cancellationToken);

    private static string[] Changes =>
    [
        "ENTRYPOINT [\"/entrypoint.sh\"]",
        "EXPOSE 5432/tcp",
        $"ENV PGDATA={Data}",
        $"ENV PATH={Programs}:/bin",
        "ENV TZ=UTC",
        "STOPSIGNAL SIGINT",
        $"USER {UserId}:{UserId}",
    ];

    private static string Programs =>
        Versions().Order(StringComparer.Ordinal).LastOrDefault(f => File.Exists(f + "/bin/postgres")) is { } version ? version + "/bin"
        : throw new InvalidOperationException("There is no PostgreSQL server on this machine. Install it: apt-get install postgresql");

    private static bool IsOfTheCompiler(string file) =>
        file.Contains("llvmjit", StringComparison.Ordinal) || file.Contains("/bitcode/", StringComparison.Ordinal);

    private static IEnumerable<string> Versions() =>
        Directory.Exists("/usr/lib/postgresql") ? Directory.EnumerateDirectories("/usr/lib/postgresql") : [];

    private static async Task<string> BuildAsync(CancellationToken cancellationToken)
    {
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var version = Path.GetDirectoryName(Programs)!;
        foreach (var program in (string[])["postgres", "initdb", "pg_isready", "psql"]) inputs[$"{Programs}/{program}"] = $"{Programs}/{program}";
        foreach (var folder in (string[])[version + "/lib", $"/usr/share/postgresql/{Path.GetFileName(version)}", "/usr/share/zoneinfo/Etc"])
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)) inputs[file] = file;
        foreach (var tool in Tools) inputs[tool] = tool;
        inputs["/usr/share/zoneinfo/UTC"] = "/usr/share/zoneinfo/UTC";
        // The just-in-time compiler is of no use here and as large as all the rest.
        foreach (var left in inputs.Keys.Where(IsOfTheCompiler).ToList()) inputs.Remove(left);
        var binaries = inputs.Values.Where(f => f.EndsWith(".so", StringComparison.Ordinal) || f.StartsWith(Programs, StringComparison.Ordinal)).Concat(Tools);
        foreach (var library in await RootFileSystem.LibrariesAsync([.. binaries], [], cancellationToken)) inputs[library] = library;

        var cache = Directory.CreateDirectory(SampleImage.CacheFolder());
        var marks = string.Concat(inputs.Select(i => new FileInfo(i.Value) is var f ? $"{i.Key} {f.Length} {f.LastWriteTimeUtc.Ticks}\n" : ""));
        var tar = Path.Combine(cache.FullName, $"postgres-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(marks + Script)))[..16]}.tar");
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (File.Exists(tar)) return tar;
            var script = $"{tar}.sh";
            await File.WriteAllTextAsync(script, Script, cancellationToken);
            inputs["/entrypoint.sh"] = script;
            const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            var temporary = $"{tar}.{Environment.ProcessId}.tmp";
            await RootFileSystem.WriteAsync(
                temporary, inputs, "root:x:0:0:root:/:/bin/bash\npostgres:x:999:999:postgres:/var/lib/postgresql:/bin/bash\n",
                [new OwnedFolder("/var/lib/postgresql", UserId, ownerOnly), new OwnedFolder(Data, UserId, ownerOnly)], cancellationToken);
            File.Move(temporary, tar, overwrite: true);
            File.Delete(script);
            return tar;
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}
