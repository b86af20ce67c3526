using System.Collections.Frozen;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>The keys of a service whose verdict does not depend on what they say.</summary>
internal static class PlainKeys
{
    private const string OfTheEngine = "It steers the other engine; this box decides that itself.";
    private const string ByTheBox = "The box divides its own processors and memory; limits are taken from 'mem_limit', 'cpus' and 'deploy'.";
    private const string NoNames = "Names are resolved by the app's own network.";

    public static readonly FrozenDictionary<string, string> Dropped = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["annotations"] = OfTheEngine,
        ["attach"] = OfTheEngine,
        ["blkio_config"] = ByTheBox,
        ["cpu_count"] = ByTheBox,
        ["cpu_percent"] = ByTheBox,
        ["cpu_period"] = ByTheBox,
        ["cpu_quota"] = ByTheBox,
        ["cpu_shares"] = ByTheBox,
        ["cpuset"] = ByTheBox,
        ["develop"] = "It is for those who develop the app.",
        ["dns"] = NoNames,
        ["dns_opt"] = NoNames,
        ["dns_search"] = NoNames,
        ["domainname"] = NoNames,
        ["label_file"] = "Labels have no effect here.",
        ["logging"] = "The box keeps a bounded log of each service.",
        ["mac_address"] = "The app's network gives its own addresses.",
        ["mem_reservation"] = ByTheBox,
        ["mem_swappiness"] = ByTheBox,
        ["memswap_limit"] = ByTheBox,
        ["oom_kill_disable"] = ByTheBox,
        ["oom_score_adj"] = ByTheBox,
        ["pids_limit"] = "The box limits the processes of each service itself.",
        ["platform"] = "The image for this box's processor is fetched.",
        ["pull_policy"] = "An image is fetched when it is not here, and by an update.",
        ["pull_refresh_after"] = "An image is fetched when it is not here, and by an update.",
        ["stdin_open"] = "Nobody sits at the container; its output is in the app's log.",
        ["tty"] = "Nobody sits at the container; its output is in the app's log.",
        ["ulimits"] = "This release cannot set limits of processes and files; the engine's own hold.",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static readonly FrozenDictionary<string, string> Refused = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["cgroup"] = "No app looks at the box's control groups.",
        ["cgroup_parent"] = "No app chooses its own control group.",
        ["cpu_rt_period"] = "No app gets real-time scheduling.",
        ["cpu_rt_runtime"] = "No app gets real-time scheduling.",
        ["credential_spec"] = "It is for Windows containers.",
        ["external_links"] = "No app reaches the containers of another one.",
        ["isolation"] = "It is for Windows containers.",
        ["models"] = "The box has no model runner.",
        ["post_start"] = "This release runs no commands beside an app's own.",
        ["pre_stop"] = "This release runs no commands beside an app's own.",
        ["provider"] = "The box runs no programs of an app outside its containers.",
        ["storage_opt"] = "The box's storage has no such options.",
        ["use_api_socket"] = "No app steers the container engine: that is to be the owner of the box.",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
