namespace Piccolo.TestRun;

/// <summary>The places of a run in one checkout.</summary>
internal sealed record RunFolders(string Root)
{
    public string Artifacts => Path.Combine(Root, "artifacts");

    public string TestAssembly => Path.Combine(Artifacts, "bin", "Piccolo.Tests", "release", "Piccolo.Tests.dll");

    /// <summary>What the console showed.</summary>
    public string Log => Path.Combine(Artifacts, "test.log");

    /// <summary>Result files of this run and of what was run again.</summary>
    public string Results => Path.Combine(Artifacts, "test");

    /// <summary>One folder for each failed test: its message, and the state that it left.</summary>
    public string Failed => Path.Combine(Artifacts, "failed");

    /// <summary>Held while a run goes on.</summary>
    public string LockFile => Path.Combine(Artifacts, "test.lock");

    public string KnownFlaky => Path.Combine(Root, "Piccolo.Tests", "known-flaky.txt");

    public string NexusTable => Path.Combine(Root, "docs", "dev", "protocol-nexus.md");

    /// <exception cref="UsageException">Not inside a checkout.</exception>
    public static RunFolders Find(string folder)
    {
        for (var place = folder; place is not null; place = Path.GetDirectoryName(place))
        {
            if (File.Exists(Path.Combine(place, "Piccolo.Appliance.sln"))) return new RunFolders(place);
        }
        throw new UsageException($"{folder} is not inside a checkout");
    }
}
