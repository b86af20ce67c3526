namespace Piccolo.Rig;

/// <summary>
/// Finds the builds of the solution's other projects:
/// <c>artifacts/bin/&lt;project&gt;/&lt;configuration&gt;</c>, of the configuration that
/// runs now.
/// </summary>
public static class SolutionBuild
{
    private static readonly string Configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    public static string Find(string project)
    {
        var bin = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", ".."));
        var dll = Path.Combine(bin, project, Configuration, project + ".dll");
        return File.Exists(dll) ? dll : throw new FileNotFoundException($"{project} is not built ({Configuration}). Run: dotnet build Piccolo.Appliance.sln");
    }
}
