using Piccolo.Tests.Fakes.Files;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>A folder that goes when the test does; kept when the test fails.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory($"piccolo-test-{Environment.ProcessId}-certificates-").FullName;

    public void Dispose() => FailedState.GiveUp(Path);
}
