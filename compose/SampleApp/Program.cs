Console.Error.WriteLine("SampleApp: nothing here yet");
return 1;
