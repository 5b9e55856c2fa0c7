document.title = "up";
