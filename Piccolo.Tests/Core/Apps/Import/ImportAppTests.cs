using Piccolo.Core.Apps.Import;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>What services become together: who waits for whom, which names they have, and which of them are there at all.</summary>
internal sealed class ImportAppTests
{
    [Test]
    public void Service_NameThatIsNoLabel_GetsOneAndKeepsItsNameAsAlias()
    {
        var result = Composed.Import("services: {my_app.web: {image: a, ports: [80]}, My-App-Web: {image: b}}");

        Assert.That(result.Manifest()["services"]!.AsObject().Select(s => s.Key), Is.EqualTo(new[] { "my-app-web", "my-app-web-2" }));
        Assert.That(result.Service("my-app-web")!["aliases"]!.ToJsonString(), Is.EqualTo("""["my_app.web"]"""));
        Assert.That(result.Line("""services["my_app.web"].image""").Verdict, Is.EqualTo(ImportVerdict.Taken));
    }

    [Test]
    public void Service_NameThatIsAnAddress_GetsAnother()
    {
        var result = Composed.Import("services: {'10': {image: a, ports: [80]}, s-10: {image: b}, localhost: {image: c}}");

        Assert.That(result.Manifest()["services"]!.AsObject().Select(s => s.Key), Is.EqualTo(new[] { "s-10", "s-10-2", "s-localhost" }));
    }

    [TestCase("[db]", "started")]
    [TestCase("{db: {condition: service_started}}", "started")]
    [TestCase("{db: {condition: service_healthy, restart: true}}", "healthy")]
    public void DependsOn_BothForms_SayHowFar(string text, string condition)
    {
        var result = Composed.Import($"services: {{web: {{image: a, ports: [80], depends_on: {text}}}, db: {{image: 'postgres:17'}}}}");

        Assert.That(result.Service()!["depends_on"]!.ToJsonString(), Is.EqualTo($$"""{"db":"{{condition}}"}"""));
    }

    [Test]
    public void DependsOn_CompletedService_RunsOnceAndHasNoListener()
    {
        var result = Composed.Import("""
            services:
              web: {image: a, ports: [80], depends_on: {migrate: {condition: service_completed_successfully}}}
              worker: {image: a, depends_on: {migrate: {condition: service_healthy}}}
              migrate: {image: a, command: migrate, restart: "no", ports: [81]}
            """);

        Assert.That((string?)result.Service("migrate")!["run"], Is.EqualTo("once"));
        Assert.That((string?)result.Service("worker")!["depends_on"]!["migrate"], Is.EqualTo("completed"));
        Assert.That(result.Manifest()["listeners"]!.AsArray(), Has.Count.EqualTo(1));
    }

    [Test]
    public void DependsOn_CircleAndStranger_AreDropped()
    {
        var result = Composed.Import("services: {a: {image: a, depends_on: [b, a, x]}, b: {image: b, depends_on: [a]}}");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
        Assert.That(result.Service("a")!["depends_on"]!.ToJsonString(), Is.EqualTo("""{"b":"started"}"""));
        Assert.That(result.Service("b")!["depends_on"], Is.Null);
        Assert.That(result.Line("services.b.depends_on[0]").Verdict, Is.EqualTo(ImportVerdict.Dropped));
    }

    [Test]
    public void Profiles_OnlyThoseThatTheEnvironmentNames_AreTaken()
    {
        const string Text = "services: {web: {image: a, ports: [80]}, extra: {image: b, profiles: [more]}}";

        Assert.That(Composed.Import(Text).Line("services.extra").Verdict, Is.EqualTo(ImportVerdict.Dropped));
        Assert.That(Composed.Import(Text, "COMPOSE_PROFILES=other,more").Service("extra"), Is.Not.Null);
    }

    [Test]
    public void Without_Service_LeavesItOut()
    {
        const string Text = "services: {web: {image: a, ports: [80]}, bad: {image: b, privileged: true, pid: host}}";

        var result = ComposeImporter.Import(new ImportSource(Text) { Without = ["bad"] });

        Assert.That((result.Outcome, result.Line("services.bad").Verdict), Is.EqualTo((ImportOutcome.Plain, ImportVerdict.Dropped)));
    }

    [Test]
    public void Links_Alias_IsANameOfTheOther()
    {
        var result = Composed.Import("services: {web: {image: a, ports: [80], links: ['db:database']}, db: {image: b}}");

        Assert.That(result.Service("db")!["aliases"]!.ToJsonString(), Is.EqualTo("""["database"]"""));
        Assert.That(result.Service()!["depends_on"]!.ToJsonString(), Is.EqualTo("""{"db":"started"}"""));
    }

    [Test]
    public void Anchors_MergedIntoServices_AreReportedWhereTheyStand()
    {
        var result = Composed.Import("""
            x-base: &base
              image: a
              environment: &env
                A: "1"
            services:
              one:
                <<: *base
                ports: [80]
              two:
                <<: *base
                environment:
                  <<: *env
                  B: "2"
            """);

        Assert.That(result.Service("two")!["environment"]!.ToJsonString(), Is.EqualTo("""{"A":"1","B":"2"}"""));
        Assert.That(result.Line("services.two.image").Line, Is.EqualTo(2));
        Assert.That(result.Line("services.two.<<").Verdict, Is.EqualTo(ImportVerdict.Taken));
        Assert.That(result.Line("services.two.environment.<<").Verdict, Is.EqualTo(ImportVerdict.Taken));
    }

    [Test]
    public void Extends_ServiceOfTheFileAndOfTheBundle_IsWrittenIn()
    {
        var result = Composed.Import("""
            services:
              web: {extends: base, ports: [80], environment: {A: "2"}}
              base: {extends: {file: common.yml, service: root}, environment: {A: "1", B: "1"}}
            """, null, ("common.yml", "services: {root: {image: 'c:1', environment: {C: '1'}}}"));

        Assert.That(result.Service()!["environment"]!.ToJsonString(), Is.EqualTo("""{"A":"2","B":"1","C":"1"}"""));
        Assert.That((string?)result.Service()!["image"], Is.EqualTo("c:1"));
    }

    [Test]
    public void Extends_Loop_IsRefused()
    {
        var result = Composed.Import("services: {a: {extends: b, image: x}, b: {extends: {service: c}}, c: {extends: a}}");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Refused));
        Assert.That(result.Refusals.First().Sentence, Does.Contain("extend each other"));
    }

    [Test]
    public void Extends_FileThatDidNotCome_IsMissing()
    {
        var result = Composed.Import("services: {a: {extends: {file: other.yml, service: b}, ports: [80]}}");

        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Refused));
        Assert.That(result.MissingFiles.Select(m => m.Name), Is.EqualTo(new[] { "other.yml" }));
    }

    [Test]
    public void Include_FileOfTheBundle_AddsItsServices()
    {
        const string Text = "include: [db.yml]\nservices: {web: {image: a, ports: [80], depends_on: [db]}}";

        var result = Composed.Import(Text, null, ("db.yml", "services: {db: {image: 'postgres:17', volumes: ['d:/var/lib/postgresql/data']}}\nvolumes: {d: }"));

        Assert.That(result.Service("db")!["mounts"], Is.Not.Null);
        Assert.That(result.Line("include[0]").Verdict, Is.EqualTo(ImportVerdict.Translated));
        Assert.That(Composed.Import(Text).Line("include[0]").Verdict, Is.EqualTo(ImportVerdict.Refused));
    }

    [Test]
    public void EnvFile_OfTheBundle_IsTheLowestRank()
    {
        var result = Composed.Import("services: {web: {image: a, ports: [80], environment: {A: own}, env_file: [one.env, {path: two.env, required: false}]}}",
            null, ("one.env", "A=file\nB=file\n"));

        Assert.That(result.Service()!["environment"]!.ToJsonString(), Is.EqualTo("""{"A":"own","B":"file"}"""));
        Assert.That(result.MissingFiles, Is.Empty);
    }

    [Test]
    public void EnvFile_ThatDidNotCome_IsMissingWithItsLine()
    {
        var result = Composed.Web("env_file: app.env");

        Assert.That(result.MissingFiles.Select(m => (m.Name, m.Path, m.Line)), Is.EqualTo(new[] { ("app.env", "services.web.env_file", 5) }));
        Assert.That(result.Outcome, Is.EqualTo(ImportOutcome.Plain));
    }

    [Test]
    public void Volumes_SameSourceInTwoServices_AreOneVolume()
    {
        var result = Composed.Import("""
            services:
              a: {image: a, ports: [80], volumes: ["./data:/data", "${PHOTOS}:/photos", "named:/n", "~/x:/x"]}
              b: {image: b, volumes: ["./data/:/srv/data:ro", "${PHOTOS}:/photos", "named:/m"]}
            volumes: {named: {driver: local}}
            """);

        Assert.That(result.Manifest()["storage"]!["persistent"]!.AsObject().Select(v => v.Key), Is.EqualTo(new[] { "data", "named", "photos", "x" }));
        Assert.That(result.Questions, Is.Empty, "where the folder lay on the host does not matter");
    }

    [TestCase("{external: true}")]
    [TestCase("{driver: rclone}")]
    [TestCase("{driver_opts: {type: nfs, o: addr=10.0.0.1, device: ':/x'}}")]
    public void Volumes_OfSomewhereElse_AreRefused(string volume)
    {
        var result = Composed.Import($"services: {{web: {{image: a, ports: [80], volumes: ['v:/v']}}}}\nvolumes: {{v: {volume}}}");

        Assert.That(result.Refusals.Select(r => r.Path), Is.EqualTo(new[] { "services.web.volumes[0]", "volumes.v" }));
    }

    [TestCase("name: Other_App\n", null, "other-app")]
    [TestCase("", "COMPOSE_PROJECT_NAME=project", "project")]
    [TestCase("", null, "web")]
    [TestCase("name: '123'\n", null, "app-123")]
    [TestCase("name: admin\n", null, "app-admin")]
    public void Name_OfTheApp_IsThatOfTheFile(string text, string? environment, string expected)
    {
        var result = Composed.Import(text + "services: {db: {image: redis}, web: {image: a, ports: [80]}}", environment);

        Assert.That((string?)result.Manifest()["name"], Is.EqualTo(expected));
        Assert.That((string?)result.Manifest()["listeners"]![0]!["name"], Is.EqualTo(expected));
    }
}
