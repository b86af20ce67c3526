using Piccolo.Demo.Import;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Tools.Demo;

/// <summary>What <c>./dev import</c> prints.</summary>
internal sealed class ImportCommandTests
{
    [Test]
    public void Run_Folder_PrintsALineForEachFileAndTheSums()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("b.yml"), "services: {web: {image: a, privileged: true, ports: [80]}}");
        File.WriteAllText(folder.File("a.yml"), "services: {web: {image: a, env_file: x.env, ports: ['${P}:80'], volumes: [d:/d], environment: {L: '${L}'}}}");
        File.WriteAllText(folder.File("a.env"), "P=80\n");
        File.WriteAllText(folder.File("c.yaml"), "services: {web: {build: .}}");
        File.WriteAllText(folder.File("README.md"), "no compose file");

        var (status, lines) = Run(folder.Path);

        Assert.That(status, Is.Zero);
        Assert.That(lines.Select(l =>
            string.Join(' ', l.Split(' ').Take(2))), Is.EqualTo(new[] { "a.yml plain", "b.yml grant", "c.yaml refused", "IMPORT files=3" }));
        Assert.That(lines[0], Does.Contain("listeners=1(a:80)").And.Contain("volumes=1(d)").And.Contain("questions=1(L)").And.Contain("missing=1(x.env)"));
        Assert.That(lines[1], Does.Contain("grants=1(privileged)"));
        Assert.That(lines[2], Does.Contain("services.web.build@1"));
    }

    [Test]
    public void Run_FileInItsFolder_TakesWhatLiesBesideIt()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.File("notes"));
        File.WriteAllText(folder.File("notes/compose.yml"),
            "services: {web: {extends: {file: ./base.yml, service: x}, env_file: [./x.env, ../secret.env], ports: [80]}}");
        File.WriteAllText(folder.File("notes/base.yml"), "services: {x: {image: a}}");
        File.WriteAllText(folder.File("notes/x.env"), "A=b");
        File.WriteAllText(folder.File("secret.env"), "B=c");

        var (_, lines) = Run("--manifest", folder.File("notes/compose.yml"));

        Assert.That(lines[0], Does.StartWith("compose.yml plain").And.Contain("listeners=1(notes:80)").And.Contain("missing=1(../secret.env)"));
        Assert.That(lines, Does.Contain("      A: b"));
    }

    [Test]
    public void Run_WithReport_PrintsALineForEachKey()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("a.yml"), "services:\n  web:\n    image: a\n    tty: true\n");

        var (_, lines) = Run("--report", folder.File("a.yml"));

        Assert.That(lines, Has.Some.Match(@"^\s+4 dropped\s+services\.web\.tty: "));
    }

    private static (int Status, string[] Lines) Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var status = ImportCommand.Run(args, output);
        return (status, output.ToString().TrimEnd('\n').Split('\n'));
    }
}
