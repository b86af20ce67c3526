namespace Piccolo.Core.Containers;

/// <summary>A container of ours as the engine last described it.</summary>
/// <param name="App">From its label.</param>
/// <param name="SpecHash">From its label; empty when it has none.</param>
/// <param name="ExitCode">Of the last run; null before the first and while running.</param>
public sealed record ObservedContainer(string Id, string Name, string App, string SpecHash, bool IsRunning, int? ExitCode);
