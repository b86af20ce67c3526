using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Fakes;

/// <summary>A folder that lives as long as one test; kept when the test fails.</summary>
internal sealed class TempFolder : IDisposable
{
    // The process's id tells ./dev test which folders a killed run has left.
    public TempFolder() => Path = Directory.CreateTempSubdirectory($"piccolo-test-{Environment.ProcessId}-").FullName;

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => FailedState.GiveUp(Path);
}
